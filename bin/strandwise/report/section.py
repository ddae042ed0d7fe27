"""Sections of the report in MultiQC's custom-content form, and the texts that go with a job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Card:
    """A card of the first section: what it counts, the figure in large letters, what to know about it (HTML).

    words: the same in one line of plain text, for the end of a run; empty: not said there.
    """

    title: str
    figure: str
    details: str
    colour: str
    anchor: str = ""
    words: str = ""


@dataclass(frozen=True)
class Chapter:
    """What one job tells: cards, sections, how it was done (HTML), the works it cites, what its results folder holds."""

    cards: Sequence[Card] = ()
    sections: Sequence[dict[str, Any]] = ()
    methods: str = ""
    citations: Sequence[str] = ()
    models: Sequence[str] = ()
    folders: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Parent:
    """The chapter heading that sections stand under."""

    identifier: str
    name: str
    description: str = ""

    def _base(self, identifier: str, name: str, description: str, plot_type: str) -> dict[str, Any]:
        return {
            "id": identifier,
            "parent_id": self.identifier,
            "parent_name": self.name,
            "parent_description": self.description,
            "section_name": name,
            "description": description,
            "plot_type": plot_type,
        }

    def html(self, identifier: str, name: str, html: str, description: str = "") -> dict[str, Any]:
        """A section of our own HTML."""
        return self._base(identifier, name, description, "html") | {"data": html}

    def plot(
        self,
        identifier: str,
        name: str,
        plot_type: str,
        data: Any,
        description: str,
        helptext: str = "",
        settings: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """A plot or table that MultiQC draws. settings: its pconfig; more: xcats, ycats, headers, categories."""
        pconfig = {"id": f"{identifier}_plot", "title": name, **(settings or {})}
        return self._base(identifier, name, description, plot_type) | {
            "helptext": helptext,
            "pconfig": pconfig,
            "data": data,
            **more,
        }
