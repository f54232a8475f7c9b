package frame

import "errors"

// What a link can answer when it is read or written. They live here because the package that opens devices and the one
// that switches frames know nothing of each other. Anything else that a link returns is a fault of that one frame.
var (
	// ErrLinkDown: the far side has taken its interface down. The link stays: it may come up again.
	ErrLinkDown = errors.New("the link is down")
	// ErrLinkFull: the far side does not read fast enough and its queue is full. The frame is lost, the link is fine.
	ErrLinkFull = errors.New("the link's queue is full")
	// ErrLinkGone: the device or its namespace no longer exists. Every further call says the same.
	ErrLinkGone = errors.New("the link is gone")
)
