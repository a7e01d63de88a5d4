"""The JSON lines between a pipeline and the supervisor: Singer messages, regions that replace, errors that tell.

A pipeline uses `run_pipeline` and `Extraction`; the supervisor uses `wire.reader`.
"""

from wire.accounts import load_accounts
from wire.backoff import Backoff, call_with_retries
from wire.channel import Channel, open_channel
from wire.checking import Api, CheckWarning
from wire.days import Window, today_in
from wire.definitions import Definition, Grain, did_you_mean, read_definitions, wrong_report
from wire.endpoints import checked_endpoint
from wire.exits import Kind
from wire.extraction import SHARED, Extraction
from wire.failures import PipelineError, SchemaError, WireError
from wire.invocation import Invocation
from wire.limiter import Limiter
from wire.listing import FieldsLine, ListedAccount, ListedField
from wire.messages import Replaces
from wire.metrics import count_calls, count_pause
from wire.money import from_micros, plain
from wire.program import leave, run_pipeline
from wire.rounds import EVERYTHING, Round
from wire.schema import CORE, Column, Table, Type
from wire.settings import concurrency, wrong_settings
from wire.side_by_side import side_by_side

__all__ = [
    "CORE",
    "EVERYTHING",
    "SHARED",
    "Api",
    "Backoff",
    "Channel",
    "CheckWarning",
    "Column",
    "Definition",
    "Extraction",
    "FieldsLine",
    "Grain",
    "Invocation",
    "Kind",
    "Limiter",
    "ListedAccount",
    "ListedField",
    "PipelineError",
    "Replaces",
    "Round",
    "SchemaError",
    "Table",
    "Type",
    "Window",
    "WireError",
    "call_with_retries",
    "checked_endpoint",
    "concurrency",
    "count_calls",
    "count_pause",
    "did_you_mean",
    "from_micros",
    "leave",
    "load_accounts",
    "open_channel",
    "plain",
    "read_definitions",
    "run_pipeline",
    "side_by_side",
    "today_in",
    "wrong_report",
    "wrong_settings",
]
