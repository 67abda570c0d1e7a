"""Training: the loop, its checkpoints, its run folder. It knows no pictures and prints nothing."""

from morphospace.training.augmentation import Augmentation
from morphospace.training.checkpoint import load_checkpoint, save_checkpoint
from morphospace.training.events import EpochEnded, Event, Stepped, Stopped
from morphospace.training.loop import Trainer
from morphospace.training.machine import Machine, choose_machine, decide_compilation
from morphospace.training.stages import Stage

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
