"""The sweeper: what dead workers held is freed, turns that were lost are given again. Any number may run at once."""

from datasync.runs.sweep.services import Swept, sweep

__all__ = ["Swept", "sweep"]
