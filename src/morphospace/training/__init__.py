"""Training: the loop, its checkpoints, its run folder. It knows no pictures and prints nothing."""

from morphospace.training.augmentation import Augmentation
from morphospace.training.checkpoint import load_checkpoint, save_checkpoint
from morphospace.training.loop import EpochEnded, Event, Stage, Stepped, Stopped, Trainer
from morphospace.training.settings import Settings, choose_settings, settled

__all__ = [
    "Augmentation",
    "EpochEnded",
    "Event",
    "Settings",
    "Stage",
    "Stepped",
    "Stopped",
    "Trainer",
    "choose_settings",
    "load_checkpoint",
    "save_checkpoint",
    "settled",
]
