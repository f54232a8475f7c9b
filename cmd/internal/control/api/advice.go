package api

// Advice is what WhyNot has found out.
type Advice struct {
	Question Question `json:"question"`
	Verdict  Verdict  `json:"verdict"`        // of the question, as the lab is
	Works    bool     `json:"works"`          // already, as the lab is: the verdict is Yes
	Stop     *Stop    `json:"stop,omitempty"` // the first thing that is in the way
	Steps    []Remedy `json:"steps"`          // to be done in this order
	Solved   bool     `json:"solved"`         // with all of them the verdict is Yes: it was tried
	Rest     *Stop    `json:"rest,omitempty"` // what is still in the way after them, and for which nothing is known to help
	Sentence string   `json:"sentence"`
	Unknown  string   `json:"unknown,omitempty"`
	Look     []string `json:"look,omitempty"` // commands that show what was not looked at
}

// Remedy is one thing to do, and what it is against.
type Remedy struct {
	Because string `json:"because"`           // what was in the way
	Reason  string `json:"reason"`            // its name
	Rule    *Rule  `json:"rule,omitempty"`    // that decided, where one did
	Command string `json:"command,omitempty"` // to be typed; empty where no command can do it
	Text    string `json:"text,omitempty"`    // what to do where no command can
}
