"""Drug response: expression, mutations and molecules become ln IC50 with an interval."""
