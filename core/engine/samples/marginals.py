"""How often values occur in sample activity: plausible shares, not published ones."""

from __future__ import annotations

Shares = dict[str, float]
"""Value to weight; the empty text is a blank."""

WEEKDAYS = (1.0, 1.05, 1.0, 0.95, 0.85, 0.4, 0.12)  # Monday first
ACTIVITY_CODES = (0.0, 0.56, 0.28, 0.12, 0.03, 0.01)  # by number of codes
RECORDED_TWICE = 0.03  # records that repeat the episode of another

HOME_NEAR = 0.62  # in the clinic's own district
HOME_PARTICIPATING = 0.18
HOME_ELSEWHERE = 0.165  # the rest have a pseudo code
PSEUDO: Shares = {"X99999999": 0.8, "X99999998": 0.1, "S99999999": 0.06, "N99999999": 0.04}

SHHAPT: Shares = {
    "T4": 30, "T2": 15, "T7": 8, "T3": 6, "T9": 6, "TT": 5, "TS": 6, "T1": 4, "DT": 3, "P1A": 3,
    "P1B": 2, "AT": 2, "T10": 1, "T6": 2, "T5": 1, "T20": 0.2, "C4": 7, "B": 4, "C4N": 3,
    "C11A": 2.5, "C10A": 1.5, "C10B": 1, "C11D": 1, "C6B": 3, "C7": 2.5, "C12": 0.7, "C16": 0.8,
    "C5A": 1.2, "C6A": 0.6, "C8": 0.5, "C9": 0.2, "D2A": 1, "D2B": 2, "A1": 0.6, "A2": 0.4,
    "A3": 0.5, "A6": 0.3, "A1X": 0.1, "BR": 0.8, "BO": 0.8, "C4R": 0.5, "C4O": 0.3, "H": 0.6,
    "H2": 2, "H1": 0.1, "P2A": 1.5, "P2B": 1, "P2C": 0.8, "C13": 0.1, "C14": 0.1, "P4A": 0.3,
    "P4B": 0.1,
}  # fmt: skip
SRH_CARE: Shares = {
    "1": 30, "11": 9, "12": 2, "13": 1, "19": 6, "20": 4, "21": 4, "2": 4, "4": 1.5, "18": 2,
    "34": 12, "35": 3, "36": 4, "37": 3, "27": 2, "40": 0.3, "41": 0.4,
}  # fmt: skip
WITH_SRH_CARE = 0.18
WITH_CONTRACEPTION = 0.2
MAIN_METHOD: Shares = {
    "7": 26, "8": 24, "2": 16, "4": 11, "3": 7, "1": 8, "9": 4, "6": 1.5, "5": 1, "10": 0.5,
    "12": 1,
}  # fmt: skip
METHOD_STATUS: Shares = {"1": 30, "2": 12, "3": 52, "4": 6}
WITH_OTHER_METHOD = 0.08  # of those with a main method
OTHER_METHOD: Shares = {"9": 80, "7": 5, "8": 15}
POST_COITAL: Shares = {"": 970, "1": 26, "2": 4}

GENDER: Shares = {"2": 58, "1": 40.6, "X": 0.8, "9": 0.6}
ETHNICITY: Shares = {
    "A": 38, "B": 2, "C": 14, "D": 2, "E": 1.5, "F": 1, "G": 2, "H": 4, "J": 3, "K": 7, "L": 4,
    "M": 5, "N": 8, "P": 2, "R": 1.5, "S": 2, "Z": 2.5, "99": 0.5,
}  # fmt: skip
ORIENTATION: Shares = {"1": 74, "2": 15, "3": 5, "4": 1, "U": 1, "Z": 3, "9": 1}
FIRST_ATTENDANCE: Shares = {"1": 62, "2": 28, "3": 5, "4": 5}
MEDIUM: Shares = {"01": 86, "02": 10, "03": 2, "05": 1, "06": 1}
LOCATION: Shares = {"E01": 62, "B01": 30, "L03": 2, "N03": 3, "X01": 3}
BIRTH_COUNTRY: Shares = {
    "GBR": 62, "": 4, "POL": 3, "ITA": 3, "FRA": 3, "ESP": 2, "BGD": 4, "NGA": 3, "BRA": 4,
    "IRL": 2, "ROU": 3, "IND": 3, "USA": 2, "AUS": 2,
}  # fmt: skip
BLANK_PRACTICE = 0.2
PRACTICES = 60
