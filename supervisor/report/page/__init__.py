"""The record of a run as one HTML page that needs nothing else: no network, no script, no font.

`document` renders templates/page.html; each section has a module that works out what it shows and a template that says
how; `chart` and `scale` measure, `words` prints values.
"""
