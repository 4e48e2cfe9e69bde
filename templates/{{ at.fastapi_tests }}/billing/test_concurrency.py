"""Requests at the same moment, each with a connection of its own."""

import asyncio

from httpx2 import AsyncClient, Response

PATH = "/api/v1/invoices"
NEW = {"customer": "Jacquard Looms", "amount_cents": 120050, "currency": "EUR"}


async def create(client: AsyncClient, key: str) -> Response:
    return await client.post(PATH, json=NEW, headers={"Idempotency-Key": key})


async def test_numbers_have_no_gaps(live: AsyncClient) -> None:
    answers = await asyncio.gather(*(create(live, f"key-{number}") for number in range(30)))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["number"] for answer in answers) == list(range(1, 31))


async def test_concurrent_requests_with_one_key_create_one_invoice(live: AsyncClient) -> None:
    answers = await asyncio.gather(*(create(live, "one") for _ in range(30)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len((await live.get(PATH)).json()["items"]) == 1


async def test_concurrent_voids_succeed_once(live: AsyncClient) -> None:
    path = f"{(await create(live, 'one')).headers['Location']}/void"
    answers = await asyncio.gather(*(live.post(path) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 9]
