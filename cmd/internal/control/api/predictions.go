package api

// Predictions counts what became of predictions that were tried with a real packet.
type Predictions struct {
	Right   int `json:"right"`
	Wrong   int `json:"wrong"`
	Unknown int `json:"unknown"` // one of the two did not say yes or no
}
