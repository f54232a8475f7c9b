package tap

import "fmt"

// Outcome is what Reclaim did about one record.
type Outcome string

// What Reclaim finds, and does about it.
const (
	// Removed: the namespace was ours and nobody answers for it; namespace and record are gone.
	Removed Outcome = "removed"
	// Vanished: the namespace was gone already; so is the record now.
	Vanished Outcome = "vanished"
	// Foreign: the name belongs to another namespace now, which is left alone; the record is gone.
	Foreign Outcome = "foreign"
	// InUse: the process that made it is alive; nothing was touched.
	InUse Outcome = "in use"
	// Unreadable: the record proves nothing, so a namespace of that name is left alone; the record is gone.
	Unreadable Outcome = "unreadable"
)

// Reclaimed says what became of one namespace that was on record.
type Reclaimed struct {
	Lab       string  `json:"lab"`
	Namespace string  `json:"namespace"`
	Outcome   Outcome `json:"outcome"`
	// PID is the process that made the namespace; 0 if the record does not tell.
	PID int `json:"pid,omitempty"`
}

// String returns one sentence for a person.
func (r Reclaimed) String() string {
	who := fmt.Sprintf("namespace %s of lab %s", r.Namespace, r.Lab)
	switch r.Outcome {
	case Removed:
		return fmt.Sprintf("%s: removed; process %d, which made it, is gone", who, r.PID)
	case Vanished:
		return who + ": was gone already"
	case Foreign:
		return who + ": left alone; another one has its name now"
	case InUse:
		return fmt.Sprintf("%s: left alone; process %d is using it", who, r.PID)
	default:
		return who + ": its record was unreadable and is removed; a namespace of that name is left alone"
	}
}
