"""An agent's own pages of incentives, one module for each subject. Amounts open to the person they are paid to alone: whoever
looks as somebody else (`teams.edges.viewing`) reads the counts without them.
"""
