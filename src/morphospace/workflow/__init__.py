"""What training is from beginning to end: data, recipe, run folder, epochs, figures, bundle, report."""

from morphospace.workflow.choosing import choose_recipe, epochs_note
from morphospace.workflow.concepts import ClassEvidence, learn_from_dataset, learn_label_classes
from morphospace.workflow.events import Interrupted, Listener, Result, Started, Validated
from morphospace.workflow.polish import choose_polish, minutes_for, own_dataset, polish, polish_run
from morphospace.workflow.resume import resume_run
from morphospace.workflow.sharing import adopt_concept, shared_examples
from morphospace.workflow.start import own_preparation, preparation_for, train, train_run

__all__ = [
    "ClassEvidence",
    "Interrupted",
    "Listener",
    "Result",
    "Started",
    "Validated",
    "adopt_concept",
    "choose_polish",
    "choose_recipe",
    "epochs_note",
    "learn_from_dataset",
    "learn_label_classes",
    "minutes_for",
    "own_dataset",
    "own_preparation",
    "polish",
    "polish_run",
    "preparation_for",
    "resume_run",
    "shared_examples",
    "train",
    "train_run",
]
