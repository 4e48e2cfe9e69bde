"""The model that writes summaries. To use another one, add a class and return it from `create_provider`."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Protocol

SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
WORD = re.compile(r"\w{4,}")
TOKEN = re.compile(r"\s*\S+")


class Provider(Protocol):
    """Something that writes summaries."""

    def summarize(self, text: str) -> AsyncGenerator[str]:
        """Yield the summary token by token.

        It is closed if the client disconnects, and then releases its resources. It may raise any exception.
        """
        ...


class LocalProvider:
    """Selects the sentences with the most frequent words: no network, and deterministic."""

    def __init__(self, sentences: int = 3) -> None:
        self._sentences = sentences

    async def summarize(self, text: str) -> AsyncGenerator[str]:
        for token in TOKEN.findall(self._select(text)):
            yield token
            # Let other tasks run, as a model on the network would.
            await asyncio.sleep(0)

    def _select(self, text: str) -> str:
        sentences = [sentence for match in SENTENCE.findall(text) if (sentence := match.strip())]
        counts = Counter(WORD.findall(text.lower()))

        def weight(sentence: str) -> float:
            words = WORD.findall(sentence.lower())
            return sum(counts[word] for word in words) / (len(words) or 1)

        best = sorted(range(len(sentences)), key=lambda index: (-weight(sentences[index]), index))
        return " ".join(sentences[index] for index in sorted(best[: self._sentences]))


def create_provider() -> Provider:
    return LocalProvider()
