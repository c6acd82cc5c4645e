"""How facts come in. Python decodes and splits; typing, validating, comparing and storing are set-based SQL.

decoding, workbook  bytes to rows of text           layouts, mapping  what a source's columns mean
customers           keyed hashes and masks          rules             text to typed values or refusals, as SQL
staging             rows of text to PostgreSQL      placing           agent, queue, zone, day and team of a fact
storing             compare with what we hold       errors_file       refused rows, to be mended and sent again
"""
