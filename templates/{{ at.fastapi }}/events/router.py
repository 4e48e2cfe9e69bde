"""Routes: summaries, streamed token by token."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from ..accounts.public import MissingScopeError, Writer
from ..core.openapi import problems
from .errors import ProviderFailedError, ProviderTooSlowError, TooBusyError
from .schemas import SummaryDone, SummaryRequest, SummaryToken
from .streams import EventStream, message, stream_of
from .summaries import Summarizer, Summary

router = APIRouter(tags=["events"])


async def get_summarizer(request: Request) -> Summarizer:
    summarizer: Summarizer = request.state.summarizer
    return summarizer


@router.post(
    "/summaries",
    summary="Summarize a text, streamed as Server-Sent Events.",
    response_class=EventStream,
    responses={
        200: stream_of(
            message("SummaryTokenMessage", SummaryToken, events=["token"]),
            message("SummaryDoneMessage", SummaryDone, events=["done"]),
            message("SummaryErrorMessage", ProviderFailedError, ProviderTooSlowError, events=["error"]),
            description="`token` for each token, then `done`, or `error` with a problem document.",
        ),
        **problems(422, MissingScopeError, TooBusyError),
    },
)
async def create_summary(
    body: SummaryRequest,
    _: Writer,
    summarizer: Annotated[Summarizer, Depends(get_summarizer)],
    request: Request,
) -> Summary:
    """The scope is `write`, because a model costs money.

    If the client disconnects, the model is stopped. If it fails or takes longer than a minute, the last event
    is `error`.
    """
    return Summary(summarizer, body.text, request.url.path)
