/** Small dense linear algebra: vectors are `Float64Array`, matrices are rows of them. */

/** One latent point, (d,). Many are `Point[]`. */
export type Point = Float64Array;
export type Matrix = Float64Array[];

export const zeros = (length: number): Point => new Float64Array(length);

/** Any row of numbers, as from JSON, as a point. */
export const pointFrom = (values: ArrayLike<number>): Point => Float64Array.from(values);

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export const norm = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a));

export const scale = (a: Point, factor: number): Point => a.map((value) => value * factor);

export const subtract = (a: Point, b: Point): Point => a.map((value, i) => value - b[i]!);

/** a + factor * b. */
export const plus = (a: Point, b: Point, factor = 1): Point => a.map((value, i) => value + factor * b[i]!);

/** Add factor * b to `a` in place: for sums in inner loops. */
export function accumulate(a: Point, b: ArrayLike<number>, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i]! += factor * b[i]!;
}

export const meanOf = (points: readonly Point[]): Point => {
  const sum = zeros(points[0]!.length);
  for (const point of points) accumulate(sum, point, 1 / points.length);
  return sum;
};

/** The flat (rows * columns) numbers of the wire as rows. */
export const rowsOf = (flat: Float64Array, columns: number): Matrix =>
  Array.from({ length: columns > 0 ? flat.length / columns : 0 }, (_, i) => flat.slice(i * columns, (i + 1) * columns));

export const identity = (size: number): Matrix =>
  Array.from({ length: size }, (_, i) => Float64Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)));

export const times = (matrix: readonly Point[], vector: ArrayLike<number>): Point =>
  Float64Array.from(matrix, (row) => dot(row, vector));

export function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => {
    const sum = zeros(b[0]!.length);
    row.forEach((value, k) => accumulate(sum, b[k]!, value));
    return sum;
  });
}

export const transposed = (matrix: Matrix): Matrix =>
  Array.from(matrix[0] ?? [], (_, j) => Float64Array.from(matrix, (row) => row[j]!));

/** A matrix as L U: below the diagonal L's entries, whose diagonal is 1, above and on it U's. */
type Factors = { rows: Matrix; order: number[]; sign: number };

/** Gaussian elimination with partial pivoting. */
function factors(matrix: Matrix): Factors {
  const rows = matrix.map((row) => row.slice());
  const order = rows.map((_, i) => i);
  let sign = 1;
  for (let k = 0; k < rows.length; k++) {
    let best = k;
    for (let i = k + 1; i < rows.length; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[best]![k]!)) best = i;
    if (best !== k) {
      [rows[k], rows[best]] = [rows[best]!, rows[k]!];
      [order[k], order[best]] = [order[best]!, order[k]!];
      sign = -sign;
    }
    const pivot = rows[k]!;
    if (pivot[k] === 0) continue;
    for (let i = k + 1; i < rows.length; i++) {
      const row = rows[i]!;
      const share = (row[k]! /= pivot[k]!);
      if (share !== 0) for (let j = k + 1; j < rows.length; j++) row[j]! -= share * pivot[j]!;
    }
  }
  return { rows, order, sign };
}

function solved({ rows, order }: Factors, right: ArrayLike<number>): Point {
  const x = Float64Array.from(order, (i) => right[i]!);
  for (let i = 0; i < x.length; i++) for (let j = 0; j < i; j++) x[i]! -= rows[i]![j]! * x[j]!;
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < x.length; j++) x[i]! -= rows[i]![j]! * x[j]!;
    x[i]! /= rows[i]![i]!;
  }
  return x;
}

/** x of matrix x = right; not finite where the matrix is singular. */
export const solve = (matrix: Matrix, right: ArrayLike<number>): Point => solved(factors(matrix), right);

export function determinant(matrix: Matrix): number {
  const { rows, sign } = factors(matrix);
  return rows.reduce((value, row, i) => value * row[i]!, sign);
}

/** log |det|, which neither overflows nor vanishes in many dimensions. */
export const logDeterminant = (matrix: Matrix): number =>
  factors(matrix).rows.reduce((sum, row, i) => sum + Math.log(Math.abs(row[i]!)), 0);

export function inverse(matrix: Matrix): Matrix {
  const parts = factors(matrix);
  return transposed(identity(matrix.length).map((unit) => solved(parts, unit)));
}

const SWEEPS = 60;

/**
 * Eigenvalues, largest first, and unit eigenvectors of a symmetric matrix, by Jacobi's rotations: slow for hundreds of
 * dimensions, exact to rounding for tens. Source: Golub and Van Loan, Matrix Computations, section 8.5.
 */
export function symmetricEigen(matrix: Matrix): { values: Point; vectors: Matrix } {
  const size = matrix.length;
  const a = matrix.map((row) => row.slice());
  const vectors = identity(size); // the transposed product of all rotations: row i is eigenvector i
  const whole = Math.sqrt(a.reduce((sum, row) => sum + dot(row, row), 0));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) off = Math.max(off, Math.abs(a[p]![q]!));
    if (off <= 1e-17 * whole) break;
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, p, q);
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j]![j]! - a[i]![i]!);
  return { values: Float64Array.from(order, (i) => a[i]![i]!), vectors: order.map((i) => vectors[i]!) };
}

/** The rotation that makes a[p][q] zero, done to `a` on both sides and to the vectors. */
function rotate(a: Matrix, vectors: Matrix, p: number, q: number): void {
  if (a[p]![q] === 0) return;
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * a[p]![q]!);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  for (const row of a) turn(row, row, p, q, cosine, sine);
  for (const [first, second] of [[a[p]!, a[q]!], [vectors[p]!, vectors[q]!]] as const) {
    for (let j = 0; j < first.length; j++) turn(first, second, j, j, cosine, sine);
  }
}

function turn(first: Point, second: Point, p: number, q: number, cosine: number, sine: number): void {
  const [x, y] = [first[p]!, second[q]!];
  first[p] = cosine * x - sine * y;
  second[q] = sine * x + cosine * y;
}
