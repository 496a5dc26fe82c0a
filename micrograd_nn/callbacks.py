"""What may happen between the steps of a training run: callbacks, and what they are shown."""

from __future__ import annotations

from typing import Any

__all__ = ["Callback"]


class Callback:
    """Called as a run goes on; every method may be left out."""

    def on_train_begin(self, run: Any) -> None: ...
    def on_backward_end(self, run: Any) -> None: ...
    def on_batch_end(self, run: Any) -> None: ...
    def on_epoch_end(self, run: Any) -> None: ...
    def on_train_end(self, run: Any) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None: ...
