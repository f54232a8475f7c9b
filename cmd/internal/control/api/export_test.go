package api

import "time"

// SetPatience replaces how long Follow waits for the end.
func (c *Client) SetPatience(d time.Duration) { c.patience = d }
