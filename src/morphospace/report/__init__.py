"""What a person looks at: sheets, figures, and the report page."""

from morphospace.report.answers import Suspect, analogy_sheet, neighbor_sheet, outlier_sheet
from morphospace.report.comparison import map_contrast, path_contrast, sample_contrast, write_comparison_report
from morphospace.report.figures import map_figure
from morphospace.report.html import Exhibit, write_report
from morphospace.report.run import write_run_report
from morphospace.report.sheets import (
    edit_sheet,
    example_sheet,
    morph_sheet,
    reconstructed_tests,
    reconstruction_sheet,
    sample_sheet,
)
from morphospace.report.traversal import Walk, traversal_sheet, walk_latents

__all__ = [
    "Exhibit",
    "Suspect",
    "Walk",
    "analogy_sheet",
    "edit_sheet",
    "example_sheet",
    "map_contrast",
    "map_figure",
    "morph_sheet",
    "neighbor_sheet",
    "outlier_sheet",
    "path_contrast",
    "reconstructed_tests",
    "reconstruction_sheet",
    "sample_contrast",
    "sample_sheet",
    "traversal_sheet",
    "walk_latents",
    "write_comparison_report",
    "write_report",
    "write_run_report",
]
