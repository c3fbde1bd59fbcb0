"""The buyer's and the seller's flow: a brief, terms, a deal, a delivery, a payment.

``brief`` says what is ordered; ``terms`` binds everything else; ``flow`` makes the transactions; ``timeline`` says who
may do what next and until when; ``fetch`` brings the bytes that a URI and a digest name.
"""
