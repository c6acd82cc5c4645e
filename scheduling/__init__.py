"""Who works when: time plans, forecasts, staffing, rosters, adherence."""
