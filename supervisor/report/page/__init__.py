"""The record of a run as one HTML page that needs nothing else: no network, no script, no font.

`page` is its order, the other modules are one section each; `markup` escapes, `scale` measures, `words` prints values.
"""

from __future__ import annotations
