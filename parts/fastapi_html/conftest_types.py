Browse = Callable[[Actor], Awaitable[AsyncClient]]
