"""Files that come with the code, such as styles and scripts."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from .problems import Problem


class Assets(StaticFiles):
    """Serves the files, and refuses as everything else does a `Range` that they do not have."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_or_refuse(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
                # It has no other answer of its own that is an error: those, it raises.
                size = Headers(raw=message["headers"]).get("content-range")
                headers = {"Content-Range": size} if size else None
                raise Problem(message["status"], "The file has no such range.", headers=headers)
            await send(message)

        await super().__call__(scope, receive, send_or_refuse)
