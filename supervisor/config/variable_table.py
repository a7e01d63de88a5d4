"""The table of a run's variables in docs/configuration.md: `python -m supervisor.config.variable_table [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path

from supervisor.config.environment import all_variables

PAGE = Path("docs/configuration.md")
_HEAD = "| variable | values | default | meaning |\n|---|---|---|---|\n"


def table() -> str:
    """One Markdown line per variable, under a head."""
    return _HEAD + "".join(
        f"| `{each.name}` | {each.values} | {each.shown} | {each.meaning}{' ' if each.meaning else ''}|\n"
        for each in all_variables()
    )


def with_table(page: str) -> str:
    """The page with the table as it should be."""
    before, head, rest = page.partition(_HEAD)
    if not head:
        raise ValueError("the page has no table of variables")
    after = rest.partition("\n\n")[2]
    return f"{before}{table()}\n{after}"


def main() -> None:
    """Write the table into the page, or with --check end with 1 where it is not the one of the code."""
    page = PAGE.read_text(encoding="utf-8")
    new = with_table(page)
    if "--check" in sys.argv[1:]:
        if new != page:
            sys.exit(f"{PAGE}: its table of variables is not that of the code; run python -m {__spec__.name}")
    else:
        PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
