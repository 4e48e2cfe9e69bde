"""Add and remove staff: `just create-staff` and `just revoke-staff` run this."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from getpass import getpass

from ..core.database import Sessions, create_engine, session_factory
from ..core.settings import Settings, get_settings
from . import queries, services
from .addresses import normalize_email

MIN_PASSWORD_LENGTH = 12


async def create(sessions: Sessions, *, email: str, organization: str) -> str:
    """Add a user to the staff; create them first if the address is new. Return a message.

    Raises:
        SystemExit: the user is new, and the address or the organization is missing.
    """
    async with sessions() as session:
        known = await queries.get_user_by_email(session, email)
    if known is None and not ("@" in email and organization.strip()):
        raise SystemExit("There is no such user. A new one needs an e-mail address and an organization.")
    password = ask_password() if known is None else ""
    async with sessions.begin() as session:
        if known is None:
            owner = await services.ensure_organization(
                session, name=organization.strip(), owner_email=email, password=password
            )
        await services.set_staff(session, owner.user_id if known is None else known.id, is_staff=True)
    return f"{normalize_email(email)} is on the staff."


async def revoke(sessions: Sessions, *, email: str) -> str:
    """Remove a user from the staff, at once. Return a message.

    Raises:
        SystemExit: there is no such user.
    """
    async with sessions.begin() as session:
        user = await queries.get_user_by_email(session, email)
        if user is None:
            raise SystemExit("There is no such user.")
        await services.set_staff(session, user.id, is_staff=False)
    return f"{user.email} is no longer on the staff."


def ask_password() -> str:
    """Read a password from the terminal, without echo, or from a pipe.

    Raises:
        SystemExit: it is too short.
    """
    password = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < MIN_PASSWORD_LENGTH:
        raise SystemExit(f"A password must have at least {MIN_PASSWORD_LENGTH} characters.")
    return password


async def run(settings: Settings, options: argparse.Namespace) -> str:
    engine = create_engine(settings)
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
    parser.add_argument("organization", nargs="?", default="", help="of a new user, who becomes its owner")
    print(asyncio.run(run(get_settings(), parser.parse_args(arguments))))


if __name__ == "__main__":
    main()
