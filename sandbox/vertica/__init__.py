"""A server double of Vertica on 127.0.0.1: its wire protocol, commit rules, locks and COPY, over DuckDB in memory.

It exists because no Vertica server can be installed beside the tests. `running.VerticaDouble` starts it as a process of
its own; `python -m sandbox.vertica` does the same by hand. How true it is to the wire is proved by vertica-python's own
integration tests; what it cannot prove (speed, projections, resource pools, cluster behaviour) stays unproved.
"""
