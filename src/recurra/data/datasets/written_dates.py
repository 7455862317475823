"""One date in some 50 ways of writing it, in four languages."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Language(NamedTuple):
    """How a language names the twelve months and the seven days of a week, Monday first, in full and in short."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    weekdays: tuple[str, ...]
    short_weekdays: tuple[str, ...]
    days: tuple[str, ...]
    formats: tuple[str, ...]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ROMAN = _names("I II III IV V VI VII VIII IX X XI XII")
_CHINESE_DIGITS = "〇一二三四五六七八九"

_ENGLISH_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth "
    "twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
)
_GERMAN_ORDINALS = (
    "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte dreizehnte vierzehnte fünfzehnte sechzehnte "
    "siebzehnte achtzehnte neunzehnte zwanzigste einundzwanzigste zweiundzwanzigste dreiundzwanzigste vierundzwanzigste "
    "fünfundzwanzigste sechsundzwanzigste siebenundzwanzigste achtundzwanzigste neunundzwanzigste dreißigste einunddreißigste"
)
_FRENCH_NUMBERS = (
    "premier deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf vingt "
    "vingt-et-un vingt-deux vingt-trois vingt-quatre vingt-cinq vingt-six vingt-sept vingt-huit vingt-neuf trente trente-et-un"
)

# No format leaves open which number is the month: 3/5/2004 is not among them, nor is a year of two digits.
LANGUAGES = {
    "en": Language(
        _names("January February March April May June July August September October November December"),
        _names("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
        _names("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
        _names("Mon Tue Wed Thu Fri Sat Sun"),
        _names(_ENGLISH_ORDINALS),
        (
            "{d} {month} {year}",
            "{dd} {month} {year}",
            "{month} {d}, {year}",
            "{upper_month} {d}, {year}",
            "{month} {d}{suffix}, {year}",
            "{d}{suffix} {month} {year}",
            "the {d}{suffix} of {month}, {year}",
            "the {day} of {month} {year}",
            "{month} the {day}, {year}",
            "{weekday}, {month} {d}, {year}",
            "{weekday}, {d} {month} {year}",
            "{short_weekday}, {dd} {short_month} {year}",
            "{short_weekday} {short_month} {d} {year}",
            "{dd}-{short_month}-{year}",
            "{short_month} {d}, {year}",
            "{year} {short_month} {dd}",
        ),
    ),
    "de": Language(
        _names("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
        _names("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
        _names("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag"),
        _names("Mo Di Mi Do Fr Sa So"),
        _names(_GERMAN_ORDINALS),
        (
            "{d}. {month} {year}",
            "{dd}. {month} {year}",
            "{d}.{m}.{year}",
            "{dd}.{mm}.{year}",
            "{d}. {m}. {year}",
            "{d}. {short_month} {year}",
            "den {d}. {month} {year}",
            "am {d}. {month} {year}",
            "der {day} {month} {year}",
            "{weekday}, {d}. {month} {year}",
            "{weekday}, den {d}. {month} {year}",
            "{short_weekday}, {dd}.{mm}.{year}",
            "{short_weekday}., {d}. {short_month} {year}",
        ),
    ),
    "fr": Language(
        _names("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        _names("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
        _names("lundi mardi mercredi jeudi vendredi samedi dimanche"),
        _names("lun. mar. mer. jeu. ven. sam. dim."),
        _names(_FRENCH_NUMBERS),
        (
            "{d}{first} {month} {year}",
            "{dd} {month} {year}",
            "le {d}{first} {month} {year}",
            "le {day} {month} {year}",
            "{weekday} {d}{first} {month} {year}",
            "le {weekday} {d}{first} {month} {year}",
            "{short_weekday} {d} {short_month} {year}",
            "{d} {short_month} {year}",
            "{dd} {upper_month} {year}",
            "en {year}, le {d}{first} {month}",
        ),
    ),
    "zh": Language(
        _names("一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月"),
        (),
        tuple(f"星期{day}" for day in "一二三四五六日"),
        tuple(f"周{day}" for day in "一二三四五六日"),
        (),
        (
            "{year}年{m}月{d}日",
            "{year}年{mm}月{dd}日",
            "{year} 年 {m} 月 {d} 日",
            "{year}年{m}月{d}号",
            "公元{year}年{m}月{d}日",
            "{year}年{m}月{d}日{weekday}",
            "{year}年{m}月{d}日（{short_weekday}）",
            "{written_year}年{month}{written_day}日",
            "{written_year}年{month}{written_day}日 {weekday}",
        ),
    ),
    "": Language(
        (),
        (),
        (),
        (),
        (),
        (
            "{year}-{mm}-{dd}",
            "{year}{mm}{dd}",
            "{year}/{mm}/{dd}",
            "{year}/{m}/{d}",
            "{year}.{mm}.{dd}",
            "{d} {roman} {year}",
        ),
    ),
}
FORMATS = tuple((language, number) for language, known in LANGUAGES.items() for number in range(len(known.formats)))
"""Every way of writing: a language, and the number of the format."""


def write_date(day: date, language: str, number: int) -> str:
    """Write a date in one of the ways of `FORMATS`.

    >>> [write_date(date(2004, 5, 3), *FORMATS[one]) for one in (7, 19, 32, 47, 53)]
    ['the third of May 2004', '03.05.2004', 'le trois mai 2004', '二〇〇四年五月三日 星期一', '3 V 2004']
    """
    known = LANGUAGES[language]
    names = {
        "month": _at(known.months, day.month - 1),
        "upper_month": _at(known.months, day.month - 1).upper(),
        "short_month": _at(known.short_months, day.month - 1),
        "weekday": _at(known.weekdays, day.weekday()),
        "short_weekday": _at(known.short_weekdays, day.weekday()),
        "day": _at(known.days, day.day - 1),
        "roman": _ROMAN[day.month - 1],
        "suffix": english_suffix(day.day),
        "first": "er" if day.day == 1 else "",
        "written_year": "".join(_CHINESE_DIGITS[int(digit)] for digit in str(day.year)),
        "written_day": chinese_number(day.day),
    }
    return known.formats[number].format(
        d=day.day, dd=f"{day.day:02}", m=day.month, mm=f"{day.month:02}", year=day.year, **names
    )


def _at(names: tuple[str, ...], index: int) -> str:
    return names[index] if names else ""


def english_suffix(number: int) -> str:
    """Give what follows an ordinal number.

    >>> [f"{number}{english_suffix(number)}" for number in (1, 2, 3, 11, 23, 30)]
    ['1st', '2nd', '3rd', '11th', '23rd', '30th']
    """
    return "th" if 10 < number < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def chinese_number(number: int) -> str:
    """Write a number below 100.

    >>> [chinese_number(number) for number in (3, 10, 11, 20, 31)]
    ['三', '十', '十一', '二十', '三十一']
    """
    tens, ones = divmod(number, 10)
    return (_CHINESE_DIGITS[tens] if tens > 1 else "") + "十" * (tens > 0) + (_CHINESE_DIGITS[ones] if ones else "")
