

@pytest.fixture
async def staff(session: AsyncSession, acme: Actor, browse: Browse) -> AsyncClient:
    """The browser of Acme's owner, who is on the staff."""
    await set_staff(session, acme.user_id, is_staff=True)
    await session.commit()
    return await browse(acme)
