"""Training: the loop, its checkpoints, its run folder. It knows no pictures and prints nothing."""

from morphospace.training.augmentation import Augmentation
from morphospace.training.checkpoint import load_checkpoint, save_checkpoint
from morphospace.training.loop import EpochEnded, Event, Stage, Stepped, Stopped, Trainer
from morphospace.training.machine import Machine, choose_machine, decide_compilation

__all__ = [
    "Augmentation",
    "EpochEnded",
    "Event",
    "Machine",
    "Stage",
    "Stepped",
    "Stopped",
    "Trainer",
    "choose_machine",
    "decide_compilation",
    "load_checkpoint",
    "save_checkpoint",
]
