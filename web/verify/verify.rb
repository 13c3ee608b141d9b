# Verifies a postback's signature, of any body and of a GET.
require "openssl"

SECRET = "whsec_YOUR_SECRET"

# The headers webhook-id, webhook-timestamp and webhook-signature, and the body as it came.
def verify(id, timestamp, signatures, body)
  return false unless timestamp.match?(/\A\d+\z/) && (Time.now.to_i - timestamp.to_i).abs <= 300

  key = SECRET.delete_prefix("whsec_").unpack1("m0")
  mac = OpenSSL::HMAC.digest("SHA256", key, "#{id}.#{timestamp}.".b + body.b)
  mine = "v1,#{[mac].pack("m0")}"
  signatures.split(" ").any? { |one| one.bytesize == mine.bytesize && OpenSSL.fixed_length_secure_compare(one, mine) }
end
