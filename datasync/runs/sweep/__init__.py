"""The sweeper: what dead workers held is freed, what was lost is rung for again. Any number may run at once."""

from datasync.runs.sweep.services import Swept, sweep

__all__ = ["Swept", "sweep"]
