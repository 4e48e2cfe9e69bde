from csp.constants import NONCE, NONE, SELF
