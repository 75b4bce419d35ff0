"""The messengers that cells exchange: RANKL, OPG, sclerostin, coupling factors, as fields."""
