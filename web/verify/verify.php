<?php
// Verifies a postback's signature, of any body and of a GET.

const SECRET = 'whsec_YOUR_SECRET';

// $_SERVER['HTTP_WEBHOOK_ID'], …_TIMESTAMP, …_SIGNATURE, and file_get_contents('php://input').
function verify(string $id, string $timestamp, string $signatures, string $body): bool
{
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    $key = base64_decode(substr(SECRET, strlen('whsec_')), true);
    $mine = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $signatures) as $one) {
        if (hash_equals($mine, $one)) {
            return true;
        }
    }
    return false;
}
