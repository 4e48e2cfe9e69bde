from .webhooks import key_of
