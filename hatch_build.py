"""Puts the tutorials into the wheel, as a folder of the package; an editable install finds them where they are."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Tutorials(BuildHookInterface):
    """What is installed without the repository has them, too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"]["tutorials"] = "micrograd_nn/_tutorials"
