"""The alphabetic codes of ISO 4217 that are legal tender somewhere, and the decimals of their amounts."""

from django.core.exceptions import ValidationError

_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL
LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP
PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())

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


def validate_currency(code: str) -> None:
    """Accept a code that is in use.

    Raises:
        ValidationError: it is not.
    """
    if code not in CURRENCIES:
        raise ValidationError("This is not a currency code of ISO 4217 that is in use.", code="currency")
