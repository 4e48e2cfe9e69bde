"""Who is on the staff: `just create-staff` and `just revoke-staff` run this."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from getpass import getpass

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ..core.database import create_engine, session_factory, transaction
from ..core.settings import get_settings
from . import queries, services, staff

MIN_PASSWORD_LENGTH = 12


async def create(sessions: async_sessionmaker[AsyncSession], *, email: str, organization: str) -> str:
    """Open the admin to a user, who is made first if nobody has the address, and say so.

    Raises:
        SystemExit: the user is new, and something that takes is missing.
    """
    async with transaction(sessions, writes=False) as session:
        known = await queries.user_with(session, email)
    if known is None and not ("@" in email and organization.strip()):
        raise SystemExit("Nobody has this address. Somebody new takes an e-mail address and an organization.")
    password = ask_password() if known is None else ""
    async with transaction(sessions) as session:
        if known is None:
            owner = await services.ensure_organization(
                session, name=organization.strip(), owner_email=email, password=password
            )
        await staff.set_staff(session, owner.user_id if known is None else known.id, is_staff=True)
    return f"{queries.normalized(email)} is on the staff."


async def revoke(sessions: async_sessionmaker[AsyncSession], *, email: str) -> str:
    """Close the admin to a user, at once, and say so.

    Raises:
        SystemExit: nobody has this address.
    """
    async with transaction(sessions) as session:
        user = await queries.user_with(session, email)
        if user is None:
            raise SystemExit("Nobody has this address.")
        await staff.set_staff(session, user.id, is_staff=False)
    return f"{user.email} is no longer on the staff."


def ask_password() -> str:
    """A password from the terminal, where it is not shown, or from a pipe.

    Raises:
        SystemExit: it is too short.
    """
    password = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < MIN_PASSWORD_LENGTH:
        raise SystemExit(f"A password must have at least {MIN_PASSWORD_LENGTH} characters.")
    return password


async def run(url: str, options: argparse.Namespace) -> str:
    engine = create_engine(url)
    try:
        sessions = session_factory(engine)
        if options.action == "create":
            return await create(sessions, email=options.email, organization=options.organization)
        return await revoke(sessions, email=options.email)
    finally:
        await engine.dispose()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["create", "revoke"])
    parser.add_argument("email")
    parser.add_argument("organization", nargs="?", default="", help="for a new user, who will own it")
    print(asyncio.run(run(get_settings().database_url, parser.parse_args(arguments))))


if __name__ == "__main__":
    main()
