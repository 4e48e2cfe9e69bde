"""The model that writes summaries. Another one is another class, named in `create_provider`."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Protocol

SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
WORD = re.compile(r"\w{4,}")
TOKEN = re.compile(r"\s*\S+")


class Provider(Protocol):
    """Something that can write a summary."""

    def summarize(self, text: str) -> AsyncGenerator[str]:
        """The summary of a text, token by token, each as soon as it is there.

        It is closed when nobody wants the rest, and then gives back what it holds. It may raise anything.
        """
        ...


class LocalProvider:
    """Picks the sentences whose words are the most frequent: no network, and one summary for each text."""

    def __init__(self, sentences: int = 3) -> None:
        self._sentences = sentences

    async def summarize(self, text: str) -> AsyncGenerator[str]:
        """The summary of a text, token by token."""
        for token in TOKEN.findall(self._pick(text)):
            yield token
            # Others have their turn, as they have while a model is waited for.
            await asyncio.sleep(0)

    def _pick(self, text: str) -> str:
        sentences = [sentence for found in SENTENCE.findall(text) if (sentence := found.strip())]
        counts = Counter(WORD.findall(text.lower()))

        def weight(sentence: str) -> float:
            words = WORD.findall(sentence.lower())
            return sum(counts[word] for word in words) / (len(words) or 1)

        best = sorted(range(len(sentences)), key=lambda index: (-weight(sentences[index]), index))
        return " ".join(sentences[index] for index in sorted(best[: self._sentences]))


def create_provider() -> Provider:
    """The provider of this service."""
    return LocalProvider()
