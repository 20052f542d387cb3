"""The sandbox: a stand-in for every vendor, a world behind them whose truth is known, and a score against it.

    world      customers, products, orders … and each system's own, partly wrong copy of them     (copies.py)
      │ seed
      ▼
    stand-ins  real HTTP servers that keep state and answer the vendors' own SDKs                 (kit.py, state.py)
      ▲ HTTP      one per vendor beside its connector: connectors/<system>/sandbox.py
      │
    the hub    … and `score` holds what it believes against the truth, which nothing else may read

The same stand-ins are the tests' fakes.
"""
