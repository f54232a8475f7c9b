package engine

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is a refusal in Docker's words, which the docker command prints behind "Error response from daemon: ".
type Error struct {
	Code    int // HTTP's
	Message string
}

func (e *Error) Error() string { return e.Message }

func notFound(format string, args ...any) error {
	return &Error{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return &Error{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &Error{http.StatusConflict, fmt.Sprintf(format, args...)}
}

func forbidden(format string, args ...any) error {
	return &Error{http.StatusForbidden, fmt.Sprintf(format, args...)}
}

// failed is what went wrong on the way; an error with words of its own keeps them.
func failed(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	var e *Error
	if errors.As(err, &e) {
		return &Error{e.Code, err.Error()}
	}
	return &Error{http.StatusInternalServerError, err.Error()}
}
