"""The web page and the HTTP door as a process: `frontdesk web`."""

from __future__ import annotations
