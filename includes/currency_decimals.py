_NO_DECIMALS = """
BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF
"""
_THREE_DECIMALS = """
BHD IQD JOD KWD LYD OMR TND
"""
_DECIMALS = dict.fromkeys(_NO_DECIMALS.split(), 0) | dict.fromkeys(_THREE_DECIMALS.split(), 3)


def decimals(code: str) -> int:
    """The digits of the minor unit: 2 for EUR, whose cent is a hundredth, 0 for JPY, 3 for BHD."""
    return _DECIMALS.get(code, 2)
