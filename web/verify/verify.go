// Package postback verifies a postback's signature, of any body and of a GET.
package postback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

const secret = "whsec_YOUR_SECRET"

// Verify takes the headers webhook-id, webhook-timestamp and webhook-signature, and the body as it came.
func Verify(id, timestamp, signatures string, body []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	at, bad := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || bad != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	mine := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for _, one := range strings.Fields(signatures) {
		if hmac.Equal([]byte(one), mine) {
			return true
		}
	}
	return false
}
