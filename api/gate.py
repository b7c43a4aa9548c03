"""Nobody unknown gets behind it: requests are judged by their headers before their bodies are read."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from api.access import ACCESS, PUBLIC
from api.door import Door
from api.observe import ACTOR
from api.problems import problem_of
from gridsvc.errors import GridsvcError
from gridsvc.principal import Principal

__all__ = ["Gate"]

_GUARDED = ("/v1", "/ogc")


class Gate:
    """Finds out who asks, and leaves it in the request's state as ``who``.

    Under the paths of the API whoever is not known is refused here. Elsewhere the reason is left instead, for
    `api.deps.caller` to raise on a route that is not public.
    """

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            who: Principal | GridsvcError
            try:
                who = await self._door.caller(scope)
            except GridsvcError as error:
                if _is_guarded(scope):
                    await problem_of(error)(scope, receive, send)
                    return
                who = error
            else:
                scope[ACTOR] = who.actor
            scope.setdefault("state", {})["who"] = who
        await self._app(scope, receive, send)


def _is_guarded(scope: Scope) -> bool:
    public = ACCESS.get(f"{scope['method']} {scope['path']}") == PUBLIC
    return scope["path"].startswith(_GUARDED) and not public
