"""Another user of the system for a child, so that one platform's process cannot look into another's."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from attrs import frozen

from supervisor.config.errors import ConfigError


@frozen
class User:
    """Who a child runs as; `groups` are the supplementary ones."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str

    @property
    def for_keeper(self) -> str:
        """As the keeper's command line has it: `uid:gid:group,group`."""
        return f"{self.uid}:{self.gid}:{','.join(map(str, self.groups))}"

    def own(self, path: Path) -> None:
        """Give a file or directory to this user. Raises OSError."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def find_user(name: str) -> User:
    """The user of that name; raises ConfigError where there is none, or where this process may not become anybody."""
    try:
        found = pwd.getpwnam(name)
    except KeyError as cause:
        raise ConfigError(f"run_as: there is no user {name!r} on this system") from cause
    if os.geteuid() not in {0, found.pw_uid}:
        raise ConfigError(f"run_as: only root can run a platform as {name!r}, and the supervisor is uid {os.geteuid()}")
    groups = tuple(os.getgrouplist(name, found.pw_gid))
    return User(name, found.pw_uid, found.pw_gid, groups, found.pw_dir)
