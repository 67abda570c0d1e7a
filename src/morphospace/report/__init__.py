"""What a person looks at: sheets, figures, and the report page."""

from morphospace.report.answers import Suspect, analogy_sheet, neighbor_sheet, outlier_sheet
from morphospace.report.figures import map_figure
from morphospace.report.html import Exhibit, write_report
from morphospace.report.run import write_run_report
from morphospace.report.sheets import edit_sheet, example_sheet, morph_sheet, reconstruction_sheet, sample_sheet

__all__ = [
    "Exhibit",
    "Suspect",
    "analogy_sheet",
    "edit_sheet",
    "example_sheet",
    "map_figure",
    "morph_sheet",
    "neighbor_sheet",
    "outlier_sheet",
    "reconstruction_sheet",
    "sample_sheet",
    "write_report",
    "write_run_report",
]
