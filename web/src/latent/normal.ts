/** The normal distribution in its tails: log Phi and its inverse. */

// Source: W. J. Cody, Rational Chebyshev approximations for the error function, Mathematics of Computation 23 (1969),
// with the coefficients of his CALERF in netlib's SPECFUN; relative errors below 1e-15.
const SMALL = {
  top: [
    1.85777706184603153e-1, 3.1611237438705656, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3,
  ],
  bottom: [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3],
};
const MIDDLE = {
  top: [
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.8195222124176909e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
  ],
  bottom: [
    1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
  ],
};
const LARGE = {
  top: [
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
  ],
  bottom: [
    1, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
  ],
};

type Ratio = { readonly top: readonly number[]; readonly bottom: readonly number[] };

/** Two polynomials' ratio, the highest power first. */
const ratio = ({ top, bottom }: Ratio, x: number): number => polynomial(top, x) / polynomial(bottom, x);

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

/** exp(x^2) erfc(x) for x >= 0, which does not vanish far out as erfc does. */
function scaledComplement(x: number): number {
  if (x <= 0.46875) return Math.exp(x * x) * (1 - x * ratio(SMALL, x * x));
  if (x <= 4) return ratio(MIDDLE, x);
  const near = 1 / (x * x);
  return (1 / Math.sqrt(Math.PI) - near * ratio(LARGE, near)) / x;
}

/** log Phi(x), the logarithm of the share of N(0, 1) below x. */
export function logBelow(x: number): number {
  const scaled = scaledComplement(Math.abs(x) / Math.SQRT2) / 2;
  return x <= 0 ? Math.log(scaled) - (x * x) / 2 : Math.log1p(-scaled * Math.exp((-x * x) / 2));
}

const NEWTON = 50;

/**
 * x where log Phi(x) is `logShare`, for the lower half, logShare <= log 1/2. By Newton's method: log Phi is concave and
 * the start, from Phi(x) <= exp(-x^2 / 2) / 2, is left of x, so that each step comes nearer and none goes beyond.
 */
export function quantileOfLog(logShare: number): number {
  if (logShare === -Infinity) return -Infinity;
  let x = -Math.sqrt(Math.max(-2 * (logShare + Math.LN2), 0));
  for (let i = 0; i < NEWTON; i++) {
    const logarithm = logBelow(x);
    const slope = Math.exp((-x * x) / 2 - logarithm) / Math.sqrt(2 * Math.PI);
    const step = (logShare - logarithm) / slope;
    x += step;
    if (Math.abs(step) <= 1e-15 * Math.abs(x)) break;
  }
  return x;
}

/** log(exp(a) + exp(b)) without overflow. */
export function logAdd(a: number, b: number): number {
  const most = Math.max(a, b);
  return most === -Infinity ? most : most + Math.log1p(Math.exp(-Math.abs(a - b)));
}
