
sentry.start(env)
