from csp.decorators import csp_replace
