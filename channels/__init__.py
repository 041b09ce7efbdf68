"""The ways an alert travels, behind one interface: e-mail, SMS, webhooks and what speaks HTTP."""
